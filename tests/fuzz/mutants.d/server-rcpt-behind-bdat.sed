#file src/smtp/server_command.c
#target smtp_server
#why a recipient is asked for behind a chunk that was refused
s/^\tif \(!server->mail_open \|\| server->chunked\)$/\tif (!server->mail_open)/
