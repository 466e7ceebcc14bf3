//go:build unix && !linux

package localpg

import "syscall"

// withDeathSignal does nothing: the system has no such signal. A server left behind by a killed process holds
// child-lock, so the next start says so instead of running a second one.
func withDeathSignal(attr *syscall.SysProcAttr, _ syscall.Signal) *syscall.SysProcAttr { return attr }
