#file src/delivery/planner_domain.c
#why rows that wait at a route stay there when their domain has moved
s/^\tplanner_rows_depart\(planner, route, domain\);/\t(void)domain;/
