#file src/delivery/session_verdict.c
#why a message that was not sent is not put back
s/^\t\tworker_route_add\(worker, session->route, lease, true\);/\t\t(void)session;/
