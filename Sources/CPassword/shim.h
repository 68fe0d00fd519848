#pragma once
// libxcrypt: crypt_rn(), crypt_gensalt_rn().
#include <crypt.h>
// The reference implementation of Argon2: argon2_hash(), argon2_verify().
#include <argon2.h>
