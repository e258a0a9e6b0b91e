#file src/delivery/planner_route.c
#why the rate limit is ignored
s/want = route->tokens >= 1 \? want : 0;/want += 0;/
