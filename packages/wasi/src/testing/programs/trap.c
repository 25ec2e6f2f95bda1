// Writes past the end of memory two calls deep.
__attribute__((noinline)) static int reach(volatile int *from) { return from[0x7ffffff0 / 4] + 1; }
__attribute__((noinline)) static int stumble(void) { return reach((volatile int *)0x7ffff000u) + 1; }
int main(void) { return stumble(); }
