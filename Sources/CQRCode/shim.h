#pragma once
#include <dlfcn.h>
#include <qrencode.h>

// The library's own functions by their types, for whoever loads it at run time: Debian has no static one.
typedef QRcode *(*mb_qr_encode)(const char *text, int version, QRecLevel level, QRencodeMode mode, int caseSensitive);
typedef void (*mb_qr_free)(QRcode *code);
