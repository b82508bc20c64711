
/*
 * Inside of an account: the settings of all providers.
 */

#ifndef _DNSSYNC_ACCOUNT_H_INCLUDED_
#define _DNSSYNC_ACCOUNT_H_INCLUDED_


#include "dnssync_driver.h"


#define DNSSYNC_INTERVAL      60       /* s */
#define DNSSYNC_INTERVAL_MIN  5
#define DNSSYNC_INTERVAL_MAX  86400
#define DNSSYNC_LOCK_PERIOD   3600     /* each is a write to the zone */


/* dnssync_setting.c */

/* Setting i, with a line of help; NULL past the last. */
const dnssync_setting_t *dnssync_account_common_setting(size_t i);

/* Into account->conf, zones, view, interval. */
int dnssync_account_common(dnssync_account_t *account, torii_str_t *why);
/* Once the driver is known, too. */
void dnssync_account_lock(dnssync_account_t *account);


#endif /* _DNSSYNC_ACCOUNT_H_INCLUDED_ */
