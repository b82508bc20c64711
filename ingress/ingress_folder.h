
/*
 * The folder source: objects from *.yaml, *.yml and *.json files of a folder
 * and its sub-folders, kept up to date.  It owns an inotify descriptor that
 * the caller polls; all else is one call.
 *
 * A file that cannot be read or parsed keeps its last good objects in force
 * and is a finding (file, line, column; for missing rights: who needs which).
 * Files may be replaced by rename or by a symlink swap (a mounted ConfigMap);
 * names starting with "." are passed over, as a ConfigMap's "..data" wants.
 *
 * Objects go a moment after what is new is there: a file that is gone, or
 * empty, is looked at twice, since it may be half of a change.  If the folder
 * itself is gone, everything stays in force.
 */

#ifndef _INGRESS_FOLDER_H_INCLUDED_
#define _INGRESS_FOLDER_H_INCLUDED_


#include "ingress_store.h"


typedef struct ingress_folder_s  ingress_folder_t;

/*
 * path: the folder, or (for the tool) one file.  watch 0: no inotify.  Never
 * NULL: a missing folder is a finding, and is found when it appears.
 */
ingress_folder_t *ingress_folder_open(const char *path,
    ingress_store_t *store, int watch);
void ingress_folder_close(ingress_folder_t *folder);

/* The descriptor to poll for reading, or -1. */
int ingress_folder_fd(ingress_folder_t *folder);

/*
 * Read what is new: the first call reads everything, later ones what inotify
 * told of (all folders again after an overflow).  budget limits the files of
 * one call, so that an event loop stays responsive; 0 is no limit.  Returns
 * TORII_OK (*changed: the store or the findings were changed) or TORII_AGAIN:
 * budget used up, call again soon and do not compile yet; *changed counts from
 * the last TORII_OK on.  Files are compared by content, so a touch costs
 * nothing.
 */
int ingress_folder_read(ingress_folder_t *folder, uint32_t budget,
    int *changed);

/*
 * Milliseconds until ingress_folder_read() should be called without an event
 * (a file seen half-written, a folder that is missing), or -1.  To be asked
 * after each read.
 */
int ingress_folder_wait(ingress_folder_t *folder);

/*
 * Findings of the source itself, in order of paths; valid until the next read,
 * and brought up to date by one that returns TORII_OK.
 */
const ingress_finding_t *ingress_folder_findings(ingress_folder_t *folder);


#endif /* _INGRESS_FOLDER_H_INCLUDED_ */
