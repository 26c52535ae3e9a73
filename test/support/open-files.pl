# Opens known numbers of descriptors of each kind in the directory that is given, says `ready`, and waits.
# What Perl opens by itself are 0, 1 and 2. System calls by number: Perl has no functions for these.
use strict;
use warnings;
use Socket;
use POSIX ();

my ($dir, $extra) = @ARGV;
my %calls = (
    x86_64  => { eventfd => 290, epoll => 291, timerfd => 283, signalfd => 289, inotify => 294, watch => 254, memfd => 319 },
    aarch64 => { eventfd => 19, epoll => 20, timerfd => 85, signalfd => 74, inotify => 26, watch => 27, memfd => 279 },
);
my $call = $calls{ (POSIX::uname())[4] } or die "unknown machine\n";
$^F = 1000;
POSIX::close($_) for 3 .. 1023; # of whoever started it
my @kept;

sub sys { my $fd = syscall(shift, @_); die "$!\n" if $fd < 0; return $fd }

for (1 .. 3) { pipe(my $r, my $w) or die; push @kept, $r, $w }
sys($call->{eventfd}, 0, 0) for 1 .. 2;
sys($call->{epoll}, 0) for 1 .. 4;
sys($call->{timerfd}, 1, 0);
sys($call->{signalfd}, -1, "\0" x 8, 8, 0);
my $inotify = sys($call->{inotify}, 0);
for my $name (1 .. 5) { mkdir "$dir/watched$name"; my $path = "$dir/watched$name\0"; sys($call->{watch}, $inotify, $path, 0x2) }
for my $size (100, 200) {
    my $name = "scratch\0";
    my $fd = sys($call->{memfd}, $name, 0);
    open(my $file, '>&=', $fd) or die;
    syswrite($file, 'm' x ($size * 1024)) or die;
    push @kept, $file;
}

# One deleted file of 3 MiB with two descriptors, one of 5000 bytes, and one of which another name is left.
for my $name ('large', 'small', 'linked') {
    open(my $file, '>', "$dir/$name") or die;
    syswrite($file, 'x' x ($name eq 'large' ? 3 * 1024 * 1024 : 5000)) or die;
    if ($name eq 'large') { open(my $again, '<', "$dir/$name") or die; push @kept, $again }
    link("$dir/$name", "$dir/other") if $name eq 'linked';
    unlink "$dir/$name";
    push @kept, $file;
}
for (1 .. 7) { open(my $file, '>>', "$dir/log") or die; push @kept, $file }
open(my $odd, '>', "$dir/line\nfeed \e[31m") or die; push @kept, $odd;
for (1 .. 2) { opendir(my $handle, $dir) or die; push @kept, $handle }
for (1 .. 3) { open(my $null, '<', '/dev/null') or die; push @kept, $null }

# A listener, two connections with both ends, and one of which the other side has closed.
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die;
bind($listener, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die;
listen($listener, 8) or die;
my $address = getsockname($listener);
push @kept, $listener;
for my $n (1 .. 3) {
    socket(my $client, PF_INET, SOCK_STREAM, 0) or die;
    connect($client, $address) or die;
    accept(my $server, $listener) or die;
    push @kept, $client;
    push @kept, $server if $n < 3;
    close $server if $n == 3;
}
# Never connected, and so in no table.
socket(my $unbound, PF_INET, SOCK_STREAM, 0) or die; push @kept, $unbound;
socket(my $udp, PF_INET6, SOCK_DGRAM, 0) or die;
bind($udp, pack_sockaddr_in6(0, Socket::inet_pton(PF_INET6, '::1'))) or die;
push @kept, $udp;
socketpair(my $a, my $b, PF_UNIX, SOCK_STREAM, 0) or die; push @kept, $a, $b;
socket(my $unix, PF_UNIX, SOCK_STREAM, 0) or die;
bind($unix, pack_sockaddr_un("$dir/sock et")) or die;
listen($unix, 1) or die;
push @kept, $unix;

# As many more of one file as were asked for.
for (1 .. ($extra // 0)) { open(my $file, '<', "$dir/log") or die "$!\n"; push @kept, $file }

$| = 1;
print "ready ", (unpack_sockaddr_in($address))[0], ' ', (unpack_sockaddr_in6(getsockname($udp)))[0], "\n";
sleep 1000;
