;; The guest that all hosts run: each export does one operation $n times. Descriptor 3 is the directory, opened by the
;; host. Memory: 64 result, 128 vector, 256 path "file", 272 path "new", 288 path "many", 4096 status, 65536 data.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (memory (export "memory") 64)
  (data (i32.const 256) "file")
  (data (i32.const 272) "new")
  (data (i32.const 288) "many")
  (global $fd (mut i32) (i32.const 0))
  (global $many (mut i32) (i32.const 0))
  (global $position (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 12345))
  ;; Rights to read, write, seek, tell, stat and set size.
  (global $rights i64 (i64.const 0x600066))

  ;; Traps when a call failed: a bench of errors would be worth nothing.
  (func $ok (param $errno i32) (if (local.get $errno) (then unreachable)))
  (func $vector (param $length i32)
    (i32.store (i32.const 128) (i32.const 65536))
    (i32.store (i32.const 132) (local.get $length)))
  (func $open (param $path i32) (param $length i32) (param $oflags i32) (result i32)
    (call $ok (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $length) (local.get $oflags)
      (global.get $rights) (i64.const 0) (i32.const 0) (i32.const 64)))
    (i32.load (i32.const 64)))
  (func $rewind (call $ok (call $fd_seek (global.get $fd) (i64.const 0) (i32.const 0) (i32.const 64))))
  (func $next (param $pieces i32) (result i32)
    (global.set $random (i32.add (i32.mul (global.get $random) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.rem_u (i32.shr_u (global.get $random) (i32.const 8)) (local.get $pieces)))

  ;; Makes the file of so many pieces of 4 KiB and opens it, and the directory of many.
  (func (export "setup") (param $pieces i32)
    (global.set $fd (call $open (i32.const 256) (i32.const 4) (i32.const 1)))
    (call $vector (i32.const 4096))
    (loop $again
      (call $ok (call $fd_write (global.get $fd) (i32.const 128) (i32.const 1) (i32.const 64)))
      (br_if $again (local.tee $pieces (i32.sub (local.get $pieces) (i32.const 1)))))
    (call $rewind)
    (call $ok (call $path_open (i32.const 3) (i32.const 0) (i32.const 288) (i32.const 4) (i32.const 2)
      (i64.const 0x4000) (i64.const 0) (i32.const 0) (i32.const 64)))
    (global.set $many (i32.load (i32.const 64))))

  (func (export "fd_write") (param $n i32)
    (call $vector (i32.const 4096))
    (loop $again
      (call $ok (call $fd_write (global.get $fd) (i32.const 128) (i32.const 1) (i32.const 64)))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 1023))) (then (call $rewind)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $rewind))
  (func (export "fd_read") (param $n i32)
    (call $vector (i32.const 4096))
    (loop $again
      (call $ok (call $fd_read (global.get $fd) (i32.const 128) (i32.const 1) (i32.const 64)))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 1023))) (then (call $rewind)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $rewind))
  (func (export "fd_pread") (param $n i32)
    (call $vector (i32.const 4096))
    (loop $again
      (call $ok (call $fd_pread (global.get $fd) (i32.const 128) (i32.const 1)
        (i64.extend_i32_u (i32.shl (i32.and (local.get $n) (i32.const 1023)) (i32.const 12))) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fd_seek") (param $n i32)
    (loop $again
      (call $ok (call $fd_seek (global.get $fd) (i64.extend_i32_u (i32.and (local.get $n) (i32.const 65535)))
        (i32.const 0) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fd_filestat_get") (param $n i32)
    (loop $again
      (call $ok (call $fd_filestat_get (global.get $fd) (i32.const 4096)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "path_filestat_get") (param $n i32)
    (loop $again
      (call $ok (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 256) (i32.const 4) (i32.const 4096)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "path_open") (param $n i32)
    (loop $again
      (call $ok (call $fd_close (call $open (i32.const 256) (i32.const 4) (i32.const 0))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "create_unlink") (param $n i32)
    (loop $again
      (call $ok (call $fd_close (call $open (i32.const 272) (i32.const 3) (i32.const 1))))
      (call $ok (call $path_unlink_file (i32.const 3) (i32.const 272) (i32.const 3)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; Appends $n pieces of 4 KiB to a new file, which is then removed.
  (func (export "append") (param $n i32) (local $new i32)
    (local.set $new (call $open (i32.const 272) (i32.const 3) (i32.const 1)))
    (call $vector (i32.const 4096))
    (loop $again
      (call $ok (call $fd_write (local.get $new) (i32.const 128) (i32.const 1) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $ok (call $fd_close (local.get $new)))
    (call $ok (call $path_unlink_file (i32.const 3) (i32.const 272) (i32.const 3))))
  (func (export "random_16") (param $n i32)
    (loop $again
      (call $ok (call $random_get (i32.const 65536) (i32.const 16)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "random_4096") (param $n i32)
    (loop $again
      (call $ok (call $random_get (i32.const 65536) (i32.const 4096)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "clock_time_get") (param $n i32)
    (loop $again
      (call $ok (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "sched_yield") (param $n i32)
    (loop $again
      (call $ok (call $sched_yield))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fd_readdir") (param $n i32)
    (loop $again
      (call $ok (call $fd_readdir (global.get $many) (i32.const 65536) (i32.const 65536) (i64.const 0) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; The whole file of $size bytes in steps of $step, one way: 0 reads, 1 writes; in order, or at random places.
  (func (export "sweep") (param $size i32) (param $step i32) (param $writes i32) (param $scattered i32)
    (local $pieces i32) (local $done i32) (local $at i64)
    (call $vector (local.get $step))
    (local.set $pieces (i32.div_u (local.get $size) (local.get $step)))
    (loop $again
      (local.set $at (i64.mul (i64.extend_i32_u (local.get $step)) (i64.extend_i32_u
        (if (result i32) (local.get $scattered)
          (then (call $next (local.get $pieces))) (else (local.get $done))))))
      (if (local.get $writes)
        (then (call $ok (call $fd_pwrite (global.get $fd) (i32.const 128) (i32.const 1) (local.get $at) (i32.const 64))))
        (else (call $ok (call $fd_pread (global.get $fd) (i32.const 128) (i32.const 1) (local.get $at) (i32.const 64)))))
      (br_if $again (i32.lt_u (local.tee $done (i32.add (local.get $done) (i32.const 1))) (local.get $pieces))))))
