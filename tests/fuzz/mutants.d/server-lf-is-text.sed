#file src/smtp/server_content.c
#target smtp_server
#why a bare LF is handed on as content
s/\['\\r'\] = true, \['\\n'\] = true/['\\r'] = true/
