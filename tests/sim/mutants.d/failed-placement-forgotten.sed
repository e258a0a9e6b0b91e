#file src/delivery/planner_domain.c
#why rows that wait for DNS are not placed when the transaction fails
s/^\t\t\tput_off\(planner, refs\);/\t\t\t(void)put_off;/; s/wait_at\(planner, \&planner->again, \&ref\);/wait_at(planner, refs, \&ref);/
