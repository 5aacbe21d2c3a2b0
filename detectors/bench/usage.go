package bench

import (
	"runtime"
	"time"
)

// usage is what this process has used between two moments.
type usage struct {
	wall   time.Duration
	cpu    time.Duration // user and system, all threads
	allocs uint64        // heap allocations
}

// watch measures from start to stop, as often as wanted; usage adds up.
type watch struct {
	usage
	at       time.Time
	cpuAt    time.Duration
	allocsAt uint64
}

func (w *watch) start() {
	w.allocsAt = mallocs()
	w.cpuAt, w.at = cpuTime(), time.Now()
}

func (w *watch) stop() {
	w.wall += time.Since(w.at)
	w.cpu += cpuTime() - w.cpuAt
	w.allocs += mallocs() - w.allocsAt
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// liveHeap is the memory of everything still referred to, in bytes.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC() // what a pool has held through the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// measure runs fn on a clean heap.
func measure(fn func() error) (usage, error) {
	runtime.GC()
	var w watch
	w.start()
	err := fn()
	w.stop()
	return w.usage, err
}

// perS is how many readings a second that is.
func (u usage) perS(readings int) float64 { return float64(readings) / u.wall.Seconds() }

// cpuPerM is in seconds per million readings.
func (u usage) cpuPerM(readings int) float64 { return u.cpu.Seconds() * 1e6 / float64(readings) }
