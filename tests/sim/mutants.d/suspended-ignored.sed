#file src/delivery/planner_route.c
#why suspended sites get leases
s/route->site->suspended \|\| //; s/ \|\| route->site->suspended//
