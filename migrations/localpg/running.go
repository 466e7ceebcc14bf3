//go:build unix

package localpg

import (
	"fmt"
	"os"
)

// Exists returns the data folder, and whether there is a cluster in it for Start to open.
func Exists(config Config) (dataDir string, exists bool, err error) {
	config, err = config.withDefaults()
	if err != nil {
		return "", false, fmt.Errorf("find the data folder: %w", err)
	}
	_, err = os.Stat(clusterDir(config.DataDir))
	return config.DataDir, err == nil, nil
}

// RunningURL is the connection string of the server that another process runs in the data folder, for use after
// Start returned ErrInUse. Whoever may enter the socket's folder may connect.
func RunningURL(config Config) (string, error) {
	config, err := config.withDefaults()
	if err != nil {
		return "", err
	}
	return socketURL(socketDir(config.DataDir), database), nil
}
