
/*
 * Headers that tell a backend who asks: only ours may reach it.
 */

#ifndef _OAUTH2_HEADER_H_INCLUDED_
#define _OAUTH2_HEADER_H_INCLUDED_


#include "oauth2.h"


/*
 * 1: a client's header of this name has to go, in whatever spelling a backend
 * may take for one of ours: "X_Auth.Request-User" is one.
 */
int oauth2_header_ours(torii_str_t name);

/* The same for a name that a route sets itself. */
int oauth2_header_same(torii_str_t name, torii_str_t other);

/* 1: it can be a header's value: no control bytes, and not empty. */
int oauth2_header_value_ok(torii_str_t value);


#endif /* _OAUTH2_HEADER_H_INCLUDED_ */
