#file src/base/spsc.c
#why the reader gets a pointer before what it points to
s/(&queue->tail, tail \+ 1, )memory_order_release/\1memory_order_relaxed/
