package main

// Families of VictoriaMetrics/metrics that need care.
const (
	processSummary = "go_gc_duration_seconds"
	// processTwin is left out: it equals go_memstats_heap_alloc_bytes, and in
	// OpenMetrics go_memstats_alloc_bytes_total is a family of the same name.
	processTwin = "go_memstats_alloc_bytes"
)

var processHistograms = []string{"go_gc_pauses_seconds", "go_sched_latencies_seconds"}

// processRenamed are names whose suffix means something else in Prometheus.
var processRenamed = map[string]string{
	"go_cgo_calls_count": "go_cgo_calls_total",
	"go_gc_forced_count": "go_gc_forced_total",
	"go_cpu_count":       "go_cpus",
}

// processHelp says what VictoriaMetrics/metrics leaves unsaid.
var processHelp = map[string]string{
	"go_cgo_calls_total":                  "Calls from Go to C",
	"go_cpus":                             "Logical processors usable by the process",
	"go_gc_cpu_seconds_total":             "Processor time spent on garbage collection, estimated",
	"go_gc_duration_seconds":              "Pauses of the latest garbage collections",
	"go_gc_forced_total":                  "Garbage collections forced by the program",
	"go_gc_mark_assist_cpu_seconds_total": "Processor time goroutines spent on helping the garbage collector, estimated",
	"go_gc_pauses_seconds":                "Pauses of the program for garbage collection; the sum is not known",
	"go_gomaxprocs":                       "Processors that may run Go code at the same time",
	"go_goroutines":                       "Goroutines that exist",
	"go_info":                             "Always 1; the label is the Go version",
	"go_info_ext":                         "Always 1; the labels say how the program was built",
	"go_memlimit_bytes":                   "Soft memory limit of the Go runtime (GOMEMLIMIT)",
	"go_memstats_alloc_bytes_total":       "Bytes allocated on the heap so far, freed ones included",
	"go_memstats_buck_hash_sys_bytes":     "Memory of the profiling hash table",
	"go_memstats_frees_total":             "Heap objects freed so far",
	"go_memstats_gc_cpu_fraction":         "Share of the available processor time used by garbage collection since the start",
	"go_memstats_gc_sys_bytes":            "Memory of the garbage collector's own data",
	"go_memstats_heap_alloc_bytes":        "Bytes of heap objects, reachable or not yet swept",
	"go_memstats_heap_idle_bytes":         "Heap memory in unused spans",
	"go_memstats_heap_inuse_bytes":        "Heap memory in spans in use",
	"go_memstats_heap_objects":            "Heap objects allocated now",
	"go_memstats_heap_released_bytes":     "Heap memory returned to the operating system",
	"go_memstats_heap_sys_bytes":          "Heap memory obtained from the operating system",
	"go_memstats_last_gc_time_seconds":    "When the latest garbage collection ended, Unix time",
	"go_memstats_lookups_total":           "Pointer look-ups by the runtime so far",
	"go_memstats_mallocs_total":           "Heap objects allocated so far",
	"go_memstats_mcache_inuse_bytes":      "Memory of mcache structures in use",
	"go_memstats_mcache_sys_bytes":        "Memory obtained for mcache structures",
	"go_memstats_mspan_inuse_bytes":       "Memory of mspan structures in use",
	"go_memstats_mspan_sys_bytes":         "Memory obtained for mspan structures",
	"go_memstats_next_gc_bytes":           "Heap size at which the next garbage collection begins",
	"go_memstats_other_sys_bytes":         "Other memory of the runtime",
	"go_memstats_stack_inuse_bytes":       "Memory of stacks in use",
	"go_memstats_stack_sys_bytes":         "Memory obtained for stacks",
	"go_memstats_sys_bytes":               "Memory obtained from the operating system by the Go runtime",
	"go_mutex_wait_seconds_total":         "Time goroutines were blocked on a mutex",
	"go_sched_latencies_seconds":          "Time goroutines waited for a processor; the sum is not known",
	"go_scavenge_cpu_seconds_total":       "Processor time spent on returning memory to the operating system, estimated",
	"go_threads":                          "Threads of the operating system",

	"process_cpu_seconds_system_total":              "Processor time in the kernel",
	"process_cpu_seconds_total":                     "Processor time, kernel and user",
	"process_cpu_seconds_user_total":                "Processor time outside the kernel",
	"process_io_read_bytes_total":                   "Bytes read with system calls, from caches too",
	"process_io_read_syscalls_total":                "System calls that read",
	"process_io_storage_read_bytes_total":           "Bytes read from storage",
	"process_io_storage_written_bytes_total":        "Bytes written to storage",
	"process_io_write_syscalls_total":               "System calls that write",
	"process_io_written_bytes_total":                "Bytes written with system calls",
	"process_major_pagefaults_total":                "Page faults that had to read from storage",
	"process_max_fds":                               "Files the process may have open",
	"process_minor_pagefaults_total":                "Page faults served from memory",
	"process_num_threads":                           "Threads of the process",
	"process_open_fds":                              "Files the process has open",
	"process_pressure_cpu_stalled_seconds_total":    "Time all tasks of the control group waited for a processor",
	"process_pressure_cpu_waiting_seconds_total":    "Time some task of the control group waited for a processor",
	"process_pressure_io_stalled_seconds_total":     "Time all tasks of the control group waited for storage",
	"process_pressure_io_waiting_seconds_total":     "Time some task of the control group waited for storage",
	"process_pressure_memory_stalled_seconds_total": "Time all tasks of the control group waited for memory",
	"process_pressure_memory_waiting_seconds_total": "Time some task of the control group waited for memory",
	"process_resident_memory_anon_bytes":            "Resident memory that belongs to no file",
	"process_resident_memory_bytes":                 "Resident memory",
	"process_resident_memory_file_bytes":            "Resident memory that maps files",
	"process_resident_memory_peak_bytes":            "Highest resident memory so far",
	"process_resident_memory_shared_bytes":          "Resident memory shared with others",
	"process_start_time_seconds":                    "When the process started, Unix time",
	"process_virtual_memory_bytes":                  "Virtual memory",
	"process_virtual_memory_peak_bytes":             "Highest virtual memory so far",
}
