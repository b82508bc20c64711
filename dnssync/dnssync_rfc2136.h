
/*
 * Inside of the RFC 2136 driver.
 */

#ifndef _DNSSYNC_RFC2136_H_INCLUDED_
#define _DNSSYNC_RFC2136_H_INCLUDED_


#include "dnssync_driver.h"
#include "dnssync_transfer.h"
#include "dnssync_update.h"


#define DNSSYNC_RFC2136_SERVERS  8
#define DNSSYNC_RFC2136_TIMEOUT  10000     /* ms */
#define DNSSYNC_RFC2136_SPLITS   20        /* halves of halves of 65535 */
#define DNSSYNC_RFC2136_NEVER    8         /* refused alone, and none done */


/* Servers in the order in which they are tried; next: the one that answered,
   or the one after a silent one. */

typedef struct {
    torii_str_t              name[DNSSYNC_RFC2136_SERVERS];
    uint32_t                 n;
    uint32_t                 next;
} dnssync_rfc2136_servers_t;

typedef struct {
    dnssync_key_t           *key;      /* NULL: unsigned */
    dnssync_rfc2136_servers_t  primary;
    dnssync_rfc2136_servers_t  transfer;
    unsigned                 tls:1;
} dnssync_rfc2136_conf_t;

typedef struct {
    dnssync_name_t           zone;
    dnssync_rfc2136_servers_t *servers;
    uint32_t                 server;   /* the one that is asked */
    uint32_t                 tries;
    torii_buf_t              message;
    dnssync_mac_t            mac;
    unsigned                 tcp:1;
    unsigned                 refusal:1;    /* the answer is not signed */
    char                     ignored[DNSSYNC_ERROR_MAX];   /* why it was */

    uint32_t                 at;       /* ZONES: the one that is asked for */
    dnssync_transfer_t      *transfer; /* LIST */
    unsigned                 whole:1;  /* not by IXFR */
    dnssync_change_t        *change;   /* CHALLENGE */

    /* APPLY: edits from .. to - 1 are in the message */
    uint32_t                 from;
    uint32_t                 to;
    uint32_t                 ends[DNSSYNC_RFC2136_SPLITS];
    uint32_t                 nends;
    uint32_t                 spare;    /* messages to find who is guilty */
    uint32_t                 done;
    uint32_t                 refused;  /* alone */
    torii_buf_t              must;     /* prerequisites, behind a header */
    torii_buf_t              todo;     /* changes, likewise */
} dnssync_rfc2136_t;


/* dnssync_rfc2136_conf.c */
extern const dnssync_setting_t  dnssync_rfc2136_settings[];
const char *dnssync_rfc2136_init(dnssync_account_t *account);
void dnssync_rfc2136_cleanup(dnssync_account_t *account);

/* dnssync_rfc2136.c */

/* The next message, to the server that was chosen. */
dnssync_op_step_e dnssync_rfc2136_ask(dnssync_op_t *op);
/* The one in message; _send() signs it first. */
dnssync_op_step_e dnssync_rfc2136_send(dnssync_op_t *op);
dnssync_op_step_e dnssync_rfc2136_request(dnssync_op_t *op);
/* DONE: it is the answer, signed or a refusal; its code is in header. */
dnssync_op_step_e dnssync_rfc2136_check(dnssync_op_t *op, torii_str_t message,
    dnssync_header_t *header);
dnssync_op_step_e dnssync_rfc2136_fail(dnssync_op_t *op,
    dnssync_trouble_e trouble, const char *what, const char *advice);
dnssync_trouble_e dnssync_rfc2136_trouble(unsigned rcode);
unsigned dnssync_rfc2136_id(void);

/* dnssync_rfc2136_soa.c */
dnssync_op_step_e dnssync_rfc2136_soa(dnssync_op_t *op, torii_str_t message);

/* dnssync_rfc2136_list.c */
dnssync_op_step_e dnssync_rfc2136_list(dnssync_op_t *op);
dnssync_op_step_e dnssync_rfc2136_listed(dnssync_op_t *op,
    torii_str_t message);
dnssync_op_step_e dnssync_rfc2136_challenge(dnssync_op_t *op);
dnssync_op_step_e dnssync_rfc2136_challenged(dnssync_op_t *op,
    torii_str_t message);

/* dnssync_rfc2136_edit.c */

/* Edits from .. end - 1, as many as there is room for, into message; none: the
   first cannot be sent, its result says why. */
void dnssync_rfc2136_pack(dnssync_op_t *op, uint32_t end);

/* dnssync_rfc2136_apply.c */
dnssync_op_step_e dnssync_rfc2136_apply(dnssync_op_t *op);
dnssync_op_step_e dnssync_rfc2136_applied(dnssync_op_t *op,
    torii_str_t message);


#endif /* _DNSSYNC_RFC2136_H_INCLUDED_ */
