#file src/smtp/server_content.c
#target smtp_server
#why one byte more than the limit is handed on
s/content_size > server->params->size_max\)/content_size > server->params->size_max + 1)/
