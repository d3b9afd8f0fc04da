#include <sys/prctl.h>

// 0.5 ms. The runtime's own threads are started after this, and each takes it over from the thread that starts it.
__attribute__((constructor)) static void allow_slack(void) { prctl(PR_SET_TIMERSLACK, 500000UL, 0UL, 0UL, 0UL); }
