package e2e

import "github.com/tailspan/tailspan/deploy/lab/scene"

// scene1 is the demo's.
func scene1() scene.Config { return scene.Story() }

// quick is a broker on a plain directory with a little load.
func quick() scene.Config {
	c := scene.Story()
	c.Disk = false
	c.Producers = 1
	c.Load.PerSecond = 300
	return c
}
