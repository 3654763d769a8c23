/**
 * Classes of characters as the reference has them, made by tools/unicode_tables.py.
 *
 * Each range is the gap since the last one and, if it has more than one member, its size: base 36.
 *
 * @module
 */
/** What BERT's clean_text takes out: control and format characters, private use. */
export const REMOVED =
  "0-9 2-2 1-i 2n-x d 11u-6 m 5c 1d 3cu 1ks-5 q-5 1d-5 1-a 11u8-4xs 16n 6x-3 1 3b3 xya-4 43z-8 h406 u-2o 1egw-1eke 2-1eke";
/** Marks that BERT's strip_accents takes off. */
export const NONSPACING =
  "lc-34 7n-5 7d-19 1 1-2 1-2 1 20-b 1c-l g 2t-7 2-6 2-2 1-4 z u-r 2j-b 1m-9 y-4 1-9 1-3 1-5 17-3 3r-w 1j 1 4-8 4 3-7 a-2 t 1m 4-4 8 k-2 t-2 1l 4-2 4-2 2-3 3 u-2 3 b-2 1l 4-5 1-2 4 k-2 t 1m 2 1-4 8 8 b-2 u 1p c 1e 1p-3 5-3 1-4 7-2 b-2 t 1m 2 6 5-2 k-2 t 1r-4 8 k-2 2u 7-3 1 2i 2-7 c-8 2q 2-6 1-2 b-6 22-2 r 1 1 1j-e 1-5 1-2 5-b 1-10 9 2u-4 1-6 1-2 2-2 p-2 4-3 g-4 d 2-2 6 f jj-3 qa-3 t-3 t-2 u-2 1s-2 1-7 8 2-b 9 19-3 4b 3a-3 4-2 9 6-3 63-2 2 1m 1-7 1 1 2-8 6-a 2 1c-e 1u-4 1c 1-5 1 5 14-9 c-2 w-4 2-2 1-3 1k 1-2 3 1-3 1m-8 2-2 48-3 1-d 1-7 4 6 3-2 5i-1i 6-4 k0-d 4 3-c 2da-3 3x 2o-w fe-4 2z-2 n9w 4-a w-2 28-2 7k 3 4 p-2 4d r-i 1g-8 p-b 1a-3 1c 2-4 2 14 1v-6 2-2 2-2 c 8 1b 1f 1-3 2-2 5-2 1 16-2 8 6m 2 4 fn4 kh-g g-g r1 6a 45-5 1ae-3 1-2 5-4 14-3 4 4l-2 10a 1i-f 1k-3 1d-4 2-2 1x-3 10-5 1-8 1q c-2 1g-9 b-3 2q-3 2 1-2 4n 3-8 l-2 1m 3 11-7 3-5 8u-6 1 4-2 1-2 6m-4 6-2 1-2 r-2 2d-8 2 1-2 2y 1 2-6 1 2t-3 2-4 1-5 gjo-5 1n-7 uw-4 f7u-2 43s-3 h-8 2-7 u-4 44-3 1iz-1j 4-1e 8 e m-5 1-f 2sg-7 gzl5-6o";
/** Marks that StripAccents takes off. */
export const COMBINING =
  "lc-34 7n-7 7b-19 1 1-2 1-2 1 20-b 1c-l g 2t-7 2-6 2-2 1-4 z u-r 2j-b 1m-9 y-4 1-9 1-3 1-5 17-3 3c-e 1-x 1i-3 1-i 1-7 a-2 t-3 1k 1-7 2-2 2-3 9 a-2 t-3 1k 1-5 4-2 2-3 3 u-2 3 b-3 1k 1-8 1-3 1-3 k-2 t-3 1k 1-7 2-2 2-3 8-2 a-2 u 1n-5 3-3 1-4 9 14-4 1m-7 1-3 1-4 7-2 b-2 t-3 1k 1-7 1-3 1-4 7-2 b-2 t-3 1m-7 1-3 1-4 9 a-2 u-2 1y 4-6 1 1-8 i-2 1p 2-7 c-8 2q 2-6 1-2 b-6 22-2 r 1 1 4-2 1d-k 1-2 5-b 1-10 9 2s-k n-4 4-3 1-3 2-7 3-4 d-c 1 a-4 jj-3 qa-3 t-3 t-2 u-2 1s-w 9 19-3 3b-2 y 3a-c 4-c 63-5 1l-a 1-t 2 1c-f 1t-5 1b-h 12-9 c-3 u-d 1k-e 1c-k 48-3 1-l 4 4-3 3-2 5i-1i 5-5 k0-x 2da-3 3x 2o-w fe-6 2x-2 n9w-4 1-a w-2 28-2 7k 3 4 n-5 2g-2 1e-i q-i 1g-8 p-d 18-4 1b-e 10 1v-e c 8-2 19-3 1e 1-3 2-2 5-2 1 15-5 5-2 6k-8 1-2 fn4 kh-g g-g r1 6a 45-5 1ae-3 1-2 5-4 14-3 4 4l-2 109-3 1h-f 1k-4 19-b 1x-3 10-e 1q c-3 1c-e 9-3 2n-c 6 4g-c l-4 1k 1-7 2-2 2-3 9 a-2 2-7 3-5 5c-i 2x-k 6j-7 2-9 r-2 2a-h 2y-d 2t-f zn-8 1-8 2a-m 1-e fg9-5 1n-7 t6-1a g-4 f7u-2 43q-5 3-6 8-8 2-7 u-4 44-3 1iz-1j 4-1e 8 e m-5 1-f 11s-7 1-h 2-7 1-2 1-5 1ph-7 31-7 gzhx-6o";
/** Punctuation, ASCII's symbols included. */
export const PUNCTUATION =
  "x-f a-7 q-6 q-4 y 5 3 a-2 3 3 ji 8 cy-6 15-2 1f 1 2 2 18-2 k-2 1-2 d 2-2 22-4 2u 17-e 6h-3 1i-f v 79-2 a an lf 2i a-2 4o-f 1 11-4 1z 22-5 4-2 33-6 4r h0-9 47 h8-2 18-2 26-3 1z-2 4d-3 1-3 11-b 8p-2 60-2 3k-7 1-6 4s-7 4b-4 1n-5 1q-2 1s-8 b n0-o 8-k 1-d 1-c u-2 e-2 hl-4 t-2 u5-e 27-2 v-a b7-m 1r-4 w-2 l7-4 1-2 34 3z-1b 1-j ce-3 4-a 2-c g c 2q 2i mwy-2 7h-3 2r a 37-6 ak-4 2e-2 14-3 1 1d-2 1b 2p-d g-2 3g-4 3i-2 g-2 6x g2a-2 5s-a m-z 1-e 1 4 1-2 45-3 1-6 1-4 a-2 3-2 q-3 1 r 1 1-7 be-3 ik 1c bi kn 5j v 7k-9 12 34-7 1u-7 2h-4 x6-7 31-2 1-4 3i-4 1c-2 27-5 3 d 1-3 2g-6 2z f0 6y-n 2x-3 6w-3 2lt-5 dtl-2 3p 1t-5 8 g2i 5wn-5";
/** Numbers of all kinds. */
export const NUMERIC =
  "1c-a 3c-2 5 2-3 141-a 3q-a 5i-a bg-a 3a-a 4-6 30-a 3a-a 3a-a 2-6 32-d 37-a 8-7 2v-a 2w-7 7-j 31-a 2o-a 3a-a 1y-k 7g-a 1y-a jz-k oh-3 6n-a 6-a m-a 8c-a 3k-b 4l-a 6-a 52-a 2e-a 3q-a 6-a t2 3-6 6-a 5i-1f 2-5 k6-1o 26-m hi-u 12h ll p-9 e-3 9j-4 3u-a u-8 1-f w-a 13-f msg-a 58-a 8w-6 4a-a 12-a 5i-a m-a 2e-a ba-a geu-a dp-19 c-1l h-2 9h-r 10-4 t 8 3q-5 5m-a q6-8 p-7 13-9 23-5 m-6 4g-2 2-g 2-1a 1s-9 1g-2 u-3 23-5 2w-8 o-8 15-7 96-6 1c-a 6-a 7q-v 4e-a 16-4 34-7 3q-u 3k-a 1o-a 40-a 7-k 6z-a 9i-a 3a-a ae-a 2u-a 6-k 24-c bo-j 2l-a ie-a 2e-t 6b-a 1y-a 1i-a 9y-a 2u-l tn-33 c01-a 1t2-a 2e-a 3q-a 1-7 em-a 7a-n 9p-3 id5-a 152-k c-k 30-p ut-1e 1ts-a bq-a dy-a 6v-a jw-9 3k-a lz-1n 1-3 1-4 24-19 1-f qq-d 25f-a";
/** What has no decomposition and no combining class for the reference, but has for the engine. */
export const INERT =
  "1kt 49-9 16-a 8a fx 72-2 al 1ne q1-g mf-5 45g n3m-3 1j n0 hun 8 7 9 bg-5 1-16 1-9 12h-4 1t-5 8t-2 28-3 1y-b 1d-4 6i ju 1y-4 5 2 1-2 1c 2 1-2 5-3 3x re-2 6y 2 4-2 4 4c 2b i 29 iw 1-2 29 bt-2 d0b 2-9 5 2er 3-4 hx-2 ick-10 3sm-1q x 4g-7 af 1p-4 e4-4 72-2 29o 22r-a";
/** Numbered classes of UnicodeScripts; what is not there joins any neighbour. */
export const SCRIPTS =
  "0-w:1 1-w:1 0-q:2 0-6:1 0-q:2 0-1b:1 0:2 0-f:1 0:2 0-5:1 0-n:2 0:1 0-v:2 0:1 0-ch:2 0-13:1 0-5:2 0-5:1 0-2:3 0-k:1 0-34:4 0-4:5 0:1 0-3:5 2-4:5 0:1 0:5 4:5 0:1 0:5 0:1 0-3:5 1:5 1-k:5 1-1r:5 0-e:6 0-g:5 0-3p:7 0-2:4 0-4p:7 1-12:8 2-7:8 1-13:8 1:1 0:8 2-3:8 1-1j:9 8-r:9 5-5:9 b-5:a 0:1 0-6:a 0:1 0-e:a 0-2:1 1:a 0:1 0-w:a 0:1 0-a:a 0-b:4 0-q:a 0:4 0-30:a 0:1 0-y:a 0-e:b 1-1o:b 2-3:b 0-1c:a 0-1e:c e-1n:d 5-1a:e 2-f:e 1-s:f 2:f 1t-l:a 1-8:a m-e:a 0:1 0-t:a 0-29:g 0-2:4 0-h:g 0-2:1 0-q:g 0-4:h 1-8:h 2-2:h 2-m:h 1-7:h 1:h 3-4:h 2-9:h 2-2:h 2-4:h 8:h 4-2:h 1-5:h 2-m:h 5-3:i 1-6:i 4-2:i 2-m:i 1-7:i 1-2:i 1-2:i 1-2:i 2:i 1-5:i 4-2:i 2-3:i 3:i 7-4:i 1:i 7-g:i b-3:j 1-9:j 1-3:j 1-m:j 1-7:j 1-2:j 1-5:j 2-a:j 1-3:j 1-3:j 2:j f-4:j 2-c:j 7:j 7-3:k 1-8:k 2-2:k 2-m:k 1-7:k 1-2:k 1-5:k 2-9:k 2-2:k 2-3:k 8-2:k 4-2:k 1-5:k 2-i:k a-2:l 1-6:l 3-3:l 1-4:l 3-2:l 1:l 1-2:l 3-2:l 3-3:l 3-c:l 4-5:l 3-3:l 1-4:l 2:l 6:l e-l:l 5-4:m 1-8:m 1-3:m 1-n:m 1-g:m 3-8:m 1-3:m 1-4:m 7-2:m 1-3:m 5-4:m 2-a:m 8-8:m 0-4:n 1-8:n 1-3:n 1-n:n 1-a:n 1-5:n 2-9:n 1-3:n 1-4:n 7-2:n 7:n 1-4:n 2-a:n 1-2:n e-3:o 1-8:o 1-3:o 1-15:o 2-8:o 1-3:o 1-6:o 4-g:o 2-q:o 2-2:p 1-i:p 3-o:p 1-9:p 1:p 2-7:p 3:p 4-6:p 1:p 1-8:p 6-a:p 2-3:p c-1m:q 4:1 0-s:q 11-2:r 1:r 2-2:r 1:r 2:r 6-4:r 1-7:r 1-3:r 1:r 1:r 2-2:r 1-d:r 1-3:r 2-5:r 1:r 1-6:r 2-a:r 2-4:r w-20:s 1-10:s 4-13:s 1-10:s 1-f:s 1-7:s 0-4:1 0-2:s 11-4g:t 0-12:u 1:u 5:u 2-17:u 0:1 0-4:u 0-74:v 0-21:w 1-4:w 2-7:w 1:w 1-4:w 2-15:w 1-4:w 2-x:w 1-4:w 2-7:w 1:w 1-4:w 2-f:w 1-1l:w 1-4:w 2-1v:w 2-w:w 3-q:w 6-2e:x 2-6:x 2-hs:y 0-t:z 3-23:10 0-3:1 0-b:10 7-d:11 1-7:11 b-l:12 0-2:1 9-k:13 c-d:14 1-3:14 1-2:14 c-2m:15 2-a:15 6-a:15 6-2:16 0-2:1 0:16 0:1 0-9:16 1-a:16 6-2g:16 8-17:16 5-1y:y a-v:17 1-c:17 4-c:17 4:17 3-c:17 0-u:18 2-5:18 b-18:19 4-q:19 6-b:19 3-2:19 0-w:15 0-s:1a 2-2:1a 0-1r:1b 1-t:1b 2-b:1b 6-a:1b 6-e:1b 2-f:4 1t-24:1c 4-19:1c 3-1s:1d 0-1g:1e 8-4:1e 0-1k:1f 3-f:1f 3-3:1f 0-1c:1g 0-9:7 1j-8:1d 8-3:4 0:1 0-d:4 0:1 0-7:4 0-4:1 0:4 0-6:1 0:4 0-2:1 1-2:4 6-12:2 0-5:5 0:7 0-1d:2 0-5:5 0-4:2 0-5:5 0-d:2 0:7 0-1y:2 0:5 0-1i:4 5-5:4 0-74:2 0-m:5 2-6:5 2-12:5 2-6:5 2-8:5 1:5 1:5 1:5 1-v:5 2-1h:5 1-f:5 1-e:5 2-6:5 1-j:5 2-3:5 1-9:5 1-c:1 0-2:4 0-2f:1 1-b:1 0:2 2-b:1 0:2 0-f:1 1-d:2 3-v:1 h-x:4 f-12:1 0:5 0-3:1 0-2:2 0-6:1 0:2 0-r:1 0:2 0-h:1 0-15:2 0-3:1 4-hb:1 1-13:1 p-b:1 l-ps:1 0-74:1h 0-hg:1 2-w:1 2-y:1 3-c:1 1-8:1 q-4:1 g-1b:1i 1-1b:1i 1-w:2 0-38:6 5-7:6 0-12:u 1:u 5:u 2-1k:1j 7-2:1j e:1j 0-n:w 9-7:w 1-7:w 1-7:w 1-7:w 1-7:w 1-7:w 1-7:w 1-7:w 1-w:7 0-1x:1 1n-q:1k 1-2h:1k c-5y:1k q-c:1 4-5:1 0:1k 0:1 0:1k 0-p:1 0-9:1k 0-4:4 0-2:v 0-8:1 0-4:1k 0-4:1 1-2e:1k 2-2:4 0-2:1 0-3:1k 0:1 0-2i:1k 0:1 0-4:1k 5-15:3 3-2m:v 1-g:1 0-r:3 5-10:1 c-g:1k 0-v:v 1-1s:1 0-v:v 0-29:1 0-1b:1k 1-2g:1k 0-4o:1 0-52u:1k a-1s:1 0-g5y:1k 16-wd:1l 3-1j:1l 9-1c:1m 0-8c:1n k-2o:7 0-2g:1o 8-y:1 0-2u:2 0-3:1 0-10:2 1-8:2 1r-9:2 0-18:1p 4-a:1 6-1k:1q 8-1y:1r 8-c:1r 6-u:g 2-1a:1s 0:1 0:1s 0-10:1t b:1t 0-t:v 3-26:1u 1:1 0-a:1u 4-2:1u 0-v:t 1-1j:1v 9-e:1v 2-a:1v 2-4:1v 0-w:t 0-1v:1w o-5:1w 0-n:1x a-6:w 2-6:w 2-6:w 9-7:w 1-7:w 1-17:2 0:1 0-9:2 0:5 a-28:x 0-1a:1x 2-a:1x 6-8mc:v c-n:v 4-1d:v 6is-a6:1k 2-2y:1k 12-7:2 c-5:8 5-q:9 1-5:9 1:9 1-2:9 1-2:9 1-a:9 0-36:a h-a3:a 0-2:1 g-1s:a 2-1i:a 14-e:a 2-g:4 0-a:1 6-e:4 0-2:7 0-z:1 1-j:1 1-4:1 4-5:a 1-3r:a 2:1 1-w:1 0-q:2 0-6:1 0-q:2 0-b:1 0-a:1k 0:1 0-19:1k 0-2:1 0-v:v 3-6:v 2-6:v 2-6:v 2-3:v 3-7:1 1-7:1 a-5:1 2-c:1y 1-q:1y 1-j:1y 1-2:1y 1-f:1y 2-e:1y y-3f:1y 5-3:1 4-19:1 3-9:1 0-27:5 1-c:1 4:5 1b-19:1 0:4 3m-t:1z 3-1d:20 f:4 0-r:1 4-10:21 c-r:22 5-17:23 5-u:24 1:24 0-10:25 4-e:25 16-28:26 0-1c:27 0-u:28 2-a:28 6-10:29 4-10:29 4-14:2a 8-1g:2b b:2b 40-8n:2c 9-m:2c a-8:2c 48-6:2d 2:2d 1-18:2d 1-2:2d 3:2d 2:2d 0-m:2e 1-9:2e 0-w:2f 0-v:2g 8-9:2g 1c-j:2h 1-2:2h 5-5:2h 0-s:2i 3:2i 0-q:2j 5:2j 1s-w:2k 0-o:2l 4-k:2l 2-1a:2l 0-4:2m 1-2:2m 5-8:2m 1-3:2m 1-r:2m 4-3:2m 4-9:2m 8-9:2m 7-w:2n 0-w:2o w-13:2p 4-c:2p 9-1i:2q 3-7:2q 0-m:2r 2-8:2r 0-j:2s 5-8:2s 0-i:2t 7-4:2t c-7:2t 28-21:2u 1j-1f:2v d-1f:2v 7-6:2v 9s-v:a ap-26:2w 4-u:2w f:2w 0-1u:2x e-p:2y 7-a:2y 6-1h:2z 1-e:2z c-13:30 9-26:31 2-g:31 1-k:p b-i:32 1-18:32 1t-7:33 1:33 1-4:33 1-f:33 1-b:33 6-1n:34 5-a:34 6-4:35 1-8:35 2-2:35 2-m:35 1-7:35 1-2:35 1-5:35 2-9:35 2-2:35 2-3:35 2:35 6:35 5-7:35 2-7:35 3-5:35 3v-2i:36 1:36 1:36 y-20:37 8-a:37 4m-1i:38 2-12:38 y-1x:39 b-a:39 6-d:16 j-1k:3a 8-a:3a 1i-q:3b 3-f:3b 4-g:3b 9s-2b:3c c:3c cg-1l:3d 7b-9:3e 1-19:3e 1-e:3e a-t:3e 3-w:3f 2-m:3f 1-e:3f nd-pm:3g 2u-33:3g 1-5:3g b-5g:3g 24c-tr:3h 34h-g7:3i 6nt-ft:1o 7-v:3j 1-a:3j 4-2:3j 2o-u:3k 2-6:3k a-1y:3l a-a:3l 1-7:3l 1-l:3l 5-j:3l og-1x:3m b-1b:3m g-h:3m 1s:3n v-4q5:3n j-kz:3n 7bh-2:1k 2da-2z:3o 5-d:3o 3-9:3o 7-a:3o 2-4:3o 0-4:1 3to-6u:1 a-13:1 2-1q:1 0-3:4 0-h:1 0-8:4 0-2:1 0-7:4 0-u:1 0-4:4 0-1n:1 n-1y:5 56-2f:1 9-i:1 3y-2d:1 1-1z:1 1-2:1 2:1 2-2:1 2-4:1 1-c:1 1:1 1-7:1 1-1t:1 1-4:1 2-8:1 1-7:1 1-s:1 1-4:1 1-5:1 1:1 3-7:1 1-9g:1 2-84:1 2-1e:1 0-i4:3p f-5:3p 1-f:3p 11s-7:1i 1-h:1i 2-7:1i 1-2:1i 1-5:1i 1jp-5h:3q 2-g:3q 15-23:3r 5-a:3r 4-2:3r ww-4:a 1-r:a 1-2:a 1:a 2:a 1-a:a 1-4:a 1:a 1:a 6:a 4:a 1:a 1:a 1-3:a 1-2:a 1:a 2:a 1:a 1:a 1:a 1:a 1-2:a 1:a 2-4:a 1-7:a 1-4:a 1-4:a 1:a 1-a:a 1-h:a 5-3:a 1-5:a 1-h:a 1g-2:a 7i-18:1 4-2s:1 c-f:1 2-f:1 1-f:1 1-11:1 a-d:1 3-v:1 1-1o:1 4-1p:1 1l-q:1 0:1k 0-2:1 d-18:1 4-9:1 7-2:1 4u-r7:1 d-d:1 3-7:1 9-38:1 c-2d:1 17-c:1 4-1k:1 8-a:1 6-14:1 8-u:1 2q-f:1 1-8:1 8:1 2-c:1 1-c:1 4-f:1 x-i:1 1a:1 18f-wyf:1k 15-379:1k b-66:1k 2-4g2:1k 866-f2:1k fher:1 u-2o:1 3k-6o:4";
/** Capitals that the reference lowers and an older engine does not. */
export const LOWERCASE: readonly (readonly [string, string])[] = [
  ["\ua7ce", "\ua7cf"],
  ["\ua7d2", "\ua7d3"],
  ["\ua7d4", "\ua7d5"],
  ["\ud81b\udea0", "\ud81b\udebb"],
  ["\ud81b\udea1", "\ud81b\udebc"],
  ["\ud81b\udea2", "\ud81b\udebd"],
  ["\ud81b\udea3", "\ud81b\udebe"],
  ["\ud81b\udea4", "\ud81b\udebf"],
  ["\ud81b\udea5", "\ud81b\udec0"],
  ["\ud81b\udea6", "\ud81b\udec1"],
  ["\ud81b\udea7", "\ud81b\udec2"],
  ["\ud81b\udea8", "\ud81b\udec3"],
  ["\ud81b\udea9", "\ud81b\udec4"],
  ["\ud81b\udeaa", "\ud81b\udec5"],
  ["\ud81b\udeab", "\ud81b\udec6"],
  ["\ud81b\udeac", "\ud81b\udec7"],
  ["\ud81b\udead", "\ud81b\udec8"],
  ["\ud81b\udeae", "\ud81b\udec9"],
  ["\ud81b\udeaf", "\ud81b\udeca"],
  ["\ud81b\udeb0", "\ud81b\udecb"],
  ["\ud81b\udeb1", "\ud81b\udecc"],
  ["\ud81b\udeb2", "\ud81b\udecd"],
  ["\ud81b\udeb3", "\ud81b\udece"],
  ["\ud81b\udeb4", "\ud81b\udecf"],
  ["\ud81b\udeb5", "\ud81b\uded0"],
  ["\ud81b\udeb6", "\ud81b\uded1"],
  ["\ud81b\udeb7", "\ud81b\uded2"],
  ["\ud81b\udeb8", "\ud81b\uded3"],
];
