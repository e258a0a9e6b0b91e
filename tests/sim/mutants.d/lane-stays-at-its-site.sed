#file src/delivery/planner_lane.c
#why a lane keeps its route when its domain has moved
s/planner_route_is_of\(lane->route, domain\)\)\)/true))/
