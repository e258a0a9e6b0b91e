#file src/dkim/canon.c
#target dkim_canon
#why empty lines inside of the body are lost
s/for \(; body->pending_lines > 0; body->pending_lines--\)/for (; body->pending_lines > 1; body->pending_lines--)/
