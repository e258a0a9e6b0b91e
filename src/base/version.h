/*
 * The version of the product: what `hikyaku version`, the status answer and the metrics say. A
 * build may give its own on the compiler's command line.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#ifndef HIKYAKU_VERSION
#define HIKYAKU_VERSION "0.1.0"
#endif

#endif
