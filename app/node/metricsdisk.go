package node

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// diskEvery is how often the data folder is measured at most: a long chain's has tens of
// thousands of files.
const diskEvery = time.Minute

var (
	dataBytes = prometheus.NewDesc("lode_data_bytes", "Size of the files in the node's data folder, by folder; measured once a minute.", []string{"folder"}, nil)
	diskFree  = prometheus.NewDesc("lode_disk_free_bytes", "What is free where the node's data lie.", nil, nil)
)

// disk tells how large a node's data are.
type disk struct {
	dir string
	now func() time.Time

	mu    sync.Mutex
	made  time.Time
	sizes map[string]int64 // by folder below dir
}

func newDisk(dir string) *disk { return &disk{dir: dir, now: time.Now} }

// Describe lists the metrics.
func (d *disk) Describe(ch chan<- *prometheus.Desc) { ch <- dataBytes; ch <- diskFree }

// Collect measures, or tells what was measured last.
func (d *disk) Collect(ch chan<- prometheus.Metric) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.sizes == nil || now.Sub(d.made) >= diskEvery {
		d.sizes, d.made = sizes(d.dir), now
	}
	for folder, size := range d.sizes {
		ch <- prometheus.MustNewConstMetric(dataBytes, prometheus.GaugeValue, float64(size), folder)
	}
	var stat syscall.Statfs_t
	if syscall.Statfs(d.dir, &stat) == nil {
		ch <- prometheus.MustNewConstMetric(diskFree, prometheus.GaugeValue, float64(stat.Bavail)*float64(stat.Bsize))
	}
}

// sizes are those of a folder's folders, its own files under ".". Files come and go
// while it looks: what is gone, or can't be read, has no size.
func sizes(dir string) map[string]int64 {
	sum := map[string]int64{".": 0}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		folder, _, below := strings.Cut(rel, string(filepath.Separator))
		if !below {
			folder = "."
		}
		sum[folder] += info.Size()
		return nil
	})
	return sum
}
