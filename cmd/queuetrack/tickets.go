package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newTickets(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "tickets",
		Short: "Close a ticket that a lost webhook left open",
	}, newTicketsClose(a))
}

func newTicketsClose(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "close SOURCE TICKET",
		Short: "End an open ticket as expired",
		Long: `Appends an event of queuetrack's own to the source's log that ends the ticket as expired: for one whose last
webhook got lost. Exit code 1 when there is no such open ticket.`,
		Example: `  queuetrack tickets close city 123456789 --reason "left hours ago"`,
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				return a.closeTicket(ctx, p, args[0], args[1], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the ticket's history")
	return cmd
}

func (a *app) closeTicket(ctx context.Context, p *parts, source, ticket, reason string) error {
	if _, err := p.config.source(source); err != nil {
		return err
	}
	position, err := p.operator(time.Now).CloseTicket(ctx, source, ticket, reason)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "closed %s of %s at position %d\n", ticket, source, position)
	return nil
}
