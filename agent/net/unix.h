/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_UNIX_H
#define NET_UNIX_H 1

/* Unix sockets by path, of any length: one that does not fit into a socket
 * address is reached through its directory's descriptor.  [control] */

/* A listening socket, non-blocking, mode 0660 less the umask.  A socket file
 * that nobody listens on is replaced.  Returns 0 or a negative errno:
 * -EADDRINUSE if somebody listens, -EEXIST if the path is something else. */
int unix_listen(const char *path, int *ret_fd);

/* Begins to connect; -EAGAIN if the listener's queue is full. */
int unix_connect(const char *path, int *ret_fd);

#endif /* net/unix.h */
