#file src/base/spsc.c
#why the writer fills a place that is still being read
s/(head_seen = atomic_load_explicit\(&queue->head, )memory_order_acquire/\1memory_order_relaxed/
