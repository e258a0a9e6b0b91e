#file src/delivery/session_verdict.c
#why a message that was not sent is not put back
s/^\tworker_route_add\(worker, session->route, lease, true\);/\t(void)worker_route_add;/
