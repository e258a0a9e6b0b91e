#file src/base/spsc.c
#why the writer fills a place that is still being read
s/(&queue->head, head \+ 1, )memory_order_release/\1memory_order_relaxed/
