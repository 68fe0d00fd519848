// Preloaded into rspamd, so that the patterns it compiles once, while the tree is built, are valid on the build host's processor
// and on qemu's emulated one alike: generic tuning, AVX2, no AVX-512.
// Layout and values: hyperscan's hs_compile.h, hs_platform_info, HS_CPU_FEATURES_AVX2.

struct hs_platform_info {
    unsigned int tune;
    unsigned int padding;
    unsigned long long cpu_features;
    unsigned long long reserved[2];
};

int hs_populate_platform(struct hs_platform_info *platform)
{
    platform->tune = 0;
    // rspamd hashes the whole structure, padding included, into the name of the cache file.
    platform->padding = 0;
    platform->cpu_features = 1ULL << 2;
    platform->reserved[0] = 0;
    platform->reserved[1] = 0;
    return 0;
}
