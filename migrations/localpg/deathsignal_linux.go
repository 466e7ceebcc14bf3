package localpg

import "syscall"

// withDeathSignal has the kernel send the signal to the child when this process ends, however it ends.
func withDeathSignal(attr *syscall.SysProcAttr, s syscall.Signal) *syscall.SysProcAttr {
	attr.Pdeathsig = s
	return attr
}
