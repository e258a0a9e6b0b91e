#file src/delivery/planner_lease.c
#why two threads write to one lease
s/^\t\twoken \|= 1ull << lease->worker;/&\n\t\tlease->returns = 0;/
