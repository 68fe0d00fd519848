import CLinux
import Glibc

mb_leave_crashes_to_the_kernel()
exit(runWorker(arguments: CommandLine.arguments))
