//go:build unix

package localpg

// RunningURL is the connection string of the server that another process runs in the data folder, for use after
// Start returned ErrInUse. Whoever may enter the socket's folder may connect.
func RunningURL(config Config) (string, error) {
	config, err := config.withDefaults()
	if err != nil {
		return "", err
	}
	return socketURL(socketDir(config.DataDir), database), nil
}
