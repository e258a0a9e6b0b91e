#file src/base/spsc.c
#why the reader gets a pointer before what it points to
s/(tail_seen = atomic_load_explicit\(&queue->tail, )memory_order_acquire/\1memory_order_relaxed/
