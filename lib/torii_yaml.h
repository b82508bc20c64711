
/*
 * What the files of the YAML reader share; private to them.
 */

#ifndef _TORII_YAML_H_INCLUDED_
#define _TORII_YAML_H_INCLUDED_


#include "torii_tree.h"


/* Sets type and boolean of a node from the text of a plain scalar. */
void torii_yaml_resolve(torii_str_t s, torii_node_t *node);


#endif /* _TORII_YAML_H_INCLUDED_ */
