/* SPDX-License-Identifier: BSD-2-Clause
 * nth.c - preloaded into a program that links libheist.so: the N-th time that the library asks the system for
 * memory, address space or a thread, it is refused; what others ask for is not.
 *
 * NTH=N       that request alone; 0 or none: none
 * NTH_ON=1    and all after it
 * NTH_OUT=F   at the end of the program: how many requests there were, and how many pieces of memory of the
 *             library's are left, into file F */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static uintptr_t from, to; /* the library's code */
static long nth;
static bool on;
static _Atomic long requests;

/* ---- who asks ---- */

static int find_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	if (!strstr(info->dlpi_name, "/libheist.so"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		if (h->p_type == PT_LOAD && (h->p_flags & PF_X)) {
			from = info->dlpi_addr + h->p_vaddr;
			to = from + h->p_memsz;
		}
	}
	return 1;
}

static bool is_library(const void *caller)
{
	return (uintptr_t)caller >= from && (uintptr_t)caller < to;
}

static bool refused(const void *caller)
{
	if (!is_library(caller))
		return false;
	long n = atomic_fetch_add(&requests, 1) + 1;
	return nth && (n == nth || (on && n > nth));
}

/* ---- what it has ---- */

#define PIECES (1u << 16)
static void *pieces[PIECES];
static _Atomic uint32_t lock;
static long left_over;

static uint32_t place(const void *p)
{
	return (uint32_t)(((uintptr_t)p >> 4) * 0x9E3779B1u) % PIECES;
}

/* Find `old` and put `new` there; a piece that is gone leaves a mark, not a hole. */
#define GONE ((void *)1)
static bool replace(void *start, void *old, void *new)
{
	bool found = false;
	while (atomic_exchange_explicit(&lock, 1, memory_order_acquire))
		;
	for (uint32_t k = 0, i = place(start); k < PIECES; k++, i = (i + 1) % PIECES) {
		found = pieces[i] == old || (old == NULL && pieces[i] == GONE);
		if (found)
			pieces[i] = new;
		if (found || pieces[i] == NULL)
			break;
	}
	left_over += found ? (old ? -1 : 1) : 0;
	atomic_store_explicit(&lock, 0, memory_order_release);
	return found;
}

static void *taken(const void *caller, void *p)
{
	if (p && is_library(caller) && !replace(p, NULL, p))
		abort(); /* the table is full */
	return p;
}

/* ---- what is asked for ---- */

void *malloc(size_t size)
{
	const void *caller = __builtin_return_address(0);
	if (!refused(caller))
		return taken(caller, __libc_malloc(size));
	errno = ENOMEM;
	return NULL;
}

int posix_memalign(void **out, size_t align, size_t size)
{
	const void *caller = __builtin_return_address(0);
	void *p = refused(caller) ? NULL : taken(caller, __libc_memalign(align, size));
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void free(void *p)
{
	if (p)
		(void)replace(p, p, GONE);
	__libc_free(p);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	if (refused(__builtin_return_address(0))) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset); /* NOLINT */
}

int mprotect(void *at, size_t size, int prot)
{
	if (refused(__builtin_return_address(0))) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_mprotect, at, size, prot);
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	if (refused(__builtin_return_address(0)))
		return EAGAIN;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(t, a, f, arg);
}

/* ---- begin and end ---- */

__attribute__((constructor)) static void begin(void)
{
	const char *n = getenv("NTH");
	nth = n ? atol(n) : 0;
	on = getenv("NTH_ON") != NULL;
	if (dl_iterate_phdr(find_library, NULL) == 0)
		abort(); /* the program does not use the library */
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("NTH_OUT");
	FILE *f = path ? fopen(path, "w") : NULL;
	if (!f)
		return;
	fprintf(f, "%ld %ld\n", atomic_load(&requests), left_over);
	fclose(f);
}
