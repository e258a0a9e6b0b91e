#file src/smtp/server_command.c
#target smtp_server
#why the first part of a line that comes in two packets is lost
s/memcpy\(server->line \+ server->line_end, /memcpy(server->line + server->line_start, /
