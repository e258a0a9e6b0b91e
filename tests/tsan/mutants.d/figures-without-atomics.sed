#file src/metrics/metrics.h
#why a scrape reads what a worker writes
s/__atomic_store_n\(counter, __atomic_load_n\(counter, __ATOMIC_RELAXED\) \+ n, __ATOMIC_RELAXED\)/*counter += n/
