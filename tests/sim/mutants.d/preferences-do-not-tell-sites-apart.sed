#file src/delivery/planner_site.c
#why the same hosts in another order of preference count as the same site
s/^\t\t\trank\+\+;/\t\t\trank += 0;/
