/*
 * The role `dhcp-event`: the program that udhcpc runs at each event. It says what it was told to
 * init's control socket, as `network.dhcp`, and ends; it changes nothing itself. Its first argument
 * is the event, the rest is in the environment.
 */
#ifndef INIT_DHCP_EVENT_H
#define INIT_DHCP_EVENT_H

int dhcp_event_main(int argc, char **argv);

#endif
