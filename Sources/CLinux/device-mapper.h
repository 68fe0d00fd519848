// Device-mapper, asked directly: for an emergency, in which libcryptsetup would first write back and freeze.
// Header only; one fixed-arity function per call, named mb_…, nothing else. No _GNU_SOURCE: it would give this module other
// definitions of the same types than Swift's Glibc module has.
#pragma once
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

// One request to device-mapper about the device `name`; `control` is /dev/mapper/control. 0, or -1 with errno.
struct mb_dm_request {
  struct dm_ioctl header;
  union {
    struct dm_target_spec target;
    char message[64];
  } data;
};
static inline struct mb_dm_request mb_dm_request_for(const char *name) {
  struct mb_dm_request request;
  memset(&request, 0, sizeof request);
  request.header.version[0] = DM_VERSION_MAJOR;
  request.header.data_size = sizeof request;
  request.header.data_start = sizeof request.header;
  strncpy(request.header.name, name, DM_NAME_LEN - 1);
  return request;
}
// Suspends without freezing the file system and without writing anything back: both may take as long as the disk likes.
static inline int mb_dm_suspend(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.flags = DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
  return ioctl(control, DM_DEV_SUSPEND, &request);
}
// Resumes, with the table that was loaded meanwhile.
static inline int mb_dm_resume(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.flags = DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
  return ioctl(control, DM_DEV_SUSPEND, &request);
}
// Loads a table of one target `error` that covers the device: every read and write fails.
static inline int mb_dm_load_error(int control, const char *name, unsigned long long sectors) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.target_count = 1;
  request.data.target.length = sectors;
  request.data.target.next = sizeof request.data.target + 8;
  strncpy(request.data.target.target_type, "error", DM_MAX_TYPE_NAME - 1);
  return ioctl(control, DM_TABLE_LOAD, &request);
}
// dm-crypt overwrites its key, which it does only while suspended.
static inline int mb_dm_wipe_key(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  struct dm_target_msg sector = {0};
  memcpy(request.data.message, &sector, sizeof sector);
  strcpy(request.data.message + sizeof sector, "key wipe");
  return ioctl(control, DM_TARGET_MSG, &request);
}
// 1 when it is suspended, 0 when not.
static inline int mb_dm_is_suspended(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  if (ioctl(control, DM_DEV_STATUS, &request) != 0) return -1;
  return (request.header.flags & DM_SUSPEND_FLAG) != 0;
}
