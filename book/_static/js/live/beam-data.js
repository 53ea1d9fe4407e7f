// Chapter 10's table of probabilities, and what the letter model has read.
// Written by `python -m book._ext.live_export`.
globalThis.rnncourse.beam = {"symbols":"\u00b7ABC","table":{"":[0,0.36,0.3,0.34],"A":[0,0.4,0.3,0.3],"C":[0,0.5,0.5,0],"AA":[1,0,0,0]},"otherwise":[0.25,0.25,0.25,0.25],"begun":{"lord":"and the lord said ","she":"and she "},"steps":{"table":3,"letters":6}};
