#file src/delivery/worker_route.c
#why one session above the limit
s/route->sessions < quota/route->sessions <= quota/
