/* The role that takes mail in: `hikyaku receive`. */
#ifndef RECEIVE_RECEIVE_H
#define RECEIVE_RECEIVE_H

int receive_main(int argc, char **argv);

#endif
