#file src/delivery/worker.c
#why a worker writes to a lease that it gave back
s/^\t\tlist_push_back\(&worker->undelivered, &lease->node\);/&\n\tlease->returns = 0;/
