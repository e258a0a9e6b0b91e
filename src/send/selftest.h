/*
 * The self-test: one message for each customer goes the whole real way (template, queue,
 * signatures, SMTP) to a receiver of our own on loopback, and what arrives is verified with the
 * public half of the customer's keys. init asks for it before it calls a system on trial good; an
 * operator may run it at any time. Nothing leaves the machine.
 */
#ifndef SEND_SELFTEST_H
#define SEND_SELFTEST_H

/*
 * `hikyaku selftest [--config FILE]`: beside a running sender, as a user who may read its keys.
 * Exit code 0: every message arrived and all its signatures verify; a line for each is printed.
 */
int selftest_main(int argc, char **argv);

#endif
