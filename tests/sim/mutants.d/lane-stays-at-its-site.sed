#file src/delivery/planner_lane.c
#why a lane keeps its route when its domain has moved
s/lane->route && lane->route->site == domain->where\)\)/lane->route))/
