/**
 * The words of the sample's everyday scenes, written for it.
 *
 * @module
 */
import { COUNTS, type Lexicon, named, nouns, opposites, phrases, verbs } from "./lexicon.ts";

const AGENTS = nouns(`
  doctor / physician < professional
  lawyer / attorney < professional
  teacher / instructor < professional
  nurse < professional
  judge < professional
  boy / lad < child
  girl < child
  toddler / infant < child
  pupil / student < child
  man / gentleman < adult
  woman / lady < adult
  grandmother / granny < relative
  grandfather / grandpa < relative
  uncle < relative
  aunt < relative
  cousin < relative
  chef / cook < worker
  farmer / grower < worker
  carpenter / joiner < worker
  plumber < worker
  mechanic < worker
  baker < worker
  butcher < worker
  tailor < worker
  gardener < worker
  fisherman / angler < worker
  sailor / seaman < traveller
  pilot / aviator < traveller
  tourist / visitor < traveller
  hiker / walker < traveller
  cyclist / biker < traveller
  officer / policeman < official
  mayor < official
  soldier / trooper < official
  guard / watchman < official
  singer / vocalist < artist
  painter < artist
  sculptor < artist
  actor / performer < artist
  violinist / fiddler < artist
  author / writer < artist
  robber / thief < criminal
  burglar < criminal
  neighbour < acquaintance
  friend / pal < acquaintance
  colleague / coworker < acquaintance
  boss / manager < acquaintance
  monk < believer
  priest / clergyman < believer
  nun < believer
  king / monarch < ruler
  queen < ruler
  prince < ruler
  dog / hound < animal
  cat / kitty < animal
  monkey / ape < animal
  horse / stallion < animal
  bear < animal
  parrot < bird
  crow / raven < bird
  eagle < bird
`);

const OBJECTS = nouns(`
  apple < fruit
  orange < fruit
  banana < fruit
  melon < fruit
  carrot < vegetable
  onion < vegetable
  cabbage < vegetable
  potato / spud < vegetable
  bread / loaf < food
  cheese < food
  cake / gateau < food
  soup / broth < food
  sandwich < food
  stone / rock < mineral
  brick < material
  plank / board < material
  rope / cord < material
  hammer < tool
  saw < tool
  spade / shovel < tool
  ladder < tool
  wrench / spanner < tool
  car / automobile < vehicle
  lorry / truck < vehicle
  bicycle / bike < vehicle
  boat / vessel < vehicle
  bus / coach < vehicle
  tractor < vehicle
  sofa / couch < furniture
  table / desk < furniture
  chair / seat < furniture
  wardrobe / closet < furniture
  shelf < furniture
  coat / jacket < garment
  hat / cap < garment
  shirt / blouse < garment
  scarf / shawl < garment
  shoe / boot < garment
  glove / mitten < garment
  book / volume < publication
  newspaper / gazette < publication
  letter / note < document
  contract / agreement < document
  map / chart < document
  picture / image < artwork
  statue < artwork
  guitar < instrument
  violin / fiddle < instrument
  drum < instrument
  flute < instrument
  piano < instrument
  telephone / phone < device
  camera < device
  computer / laptop < device
  radio < device
  clock / watch < device
  lamp / lantern < device
  cup / mug < dish
  plate / platter < dish
  bowl / basin < dish
  bottle / flask < container
  box / crate < container
  basket / hamper < container
  bag / sack < container
  bucket / pail < container
  suitcase / trunk < container
  ball < toy
  doll / puppet < toy
  kite < toy
  coin / token < valuable
  ring < valuable
  necklace < valuable
  rose < flower
  tulip < flower
  lily < flower
  oak < tree
  pine / fir < tree
  door / gate < entrance
  window / pane < entrance
  wall < structure
  fence / hedge < structure
  bridge < structure
  carpet / rug < textile
  curtain / drape < textile
  blanket / quilt < textile
  pillow / cushion < textile
`);

const VERBS = verbs(`
  lifts - lifted / raises - raised / hoists - hoisted x lowers - lowered / drops - dropped
  opens - opened / unlocks - unlocked x closes - closed / shuts - shut
  buys - bought / purchases - purchased x sells - sold / auctions - auctioned
  finds - found / discovers - discovered / locates - located x loses - lost / misplaces - misplaced
  builds - built / constructs - constructed / assembles - assembled x demolishes - demolished / dismantles - dismantled
  repairs - repaired / fixes - fixed / mends - mended x breaks - broken / damages - damaged / wrecks - wrecked
  cleans - cleaned / washes - washed / scrubs - scrubbed x soils - soiled / stains - stained
  pushes - pushed / shoves - shoved x pulls - pulled / drags - dragged / tugs - tugged
  fills - filled / loads - loaded x empties - emptied / unloads - unloaded
  hides - hidden / conceals - concealed x shows - shown / displays - displayed / exhibits - exhibited
  throws - thrown / hurls - hurled / tosses - tossed x catches - caught / grabs - grabbed
  gives - given / hands over - handed over / donates - donated x takes - taken / seizes - seized
  covers - covered / wraps - wrapped x uncovers - uncovered / unwraps - unwrapped
  praises - praised / admires - admired x criticises - criticised / mocks - mocked
  remembers - remembered / recalls - recalled x forgets - forgotten / overlooks - overlooked
  accepts - accepted / welcomes - welcomed x refuses - refused / rejects - rejected / declines - declined
  wets - wetted / soaks - soaked x dries - dried / airs - aired
  heats - heated / warms - warmed x cools - cooled / chills - chilled
  loves - loved / adores - adored x hates - hated / detests - detested
  keeps - kept / retains - retained x discards - discarded / throws away - thrown away
  protects - protected / shields - shielded x attacks - attacked / assaults - assaulted
  draws - drawn / sketches - sketched x erases - erased / wipes out - wiped out
  follows - followed / chases - chased x leads - led / guides - guided
  examines - examined / inspects - inspected x ignores - ignored / neglects - neglected
  begins - begun / starts - started x finishes - finished / completes - completed
  cuts - cut / slices - sliced x glues - glued / joins - joined
  borrows - borrowed x lends - lent / loans - loaned
  polishes - polished / shines - shined x scratches - scratched / scrapes - scraped
  stretches - stretched / extends - extended x shrinks - shrunk / shortens - shortened
  hangs up - hung up / mounts - mounted x takes down - taken down / removes - removed
  buries - buried / inters - interred x digs up - dug up / unearths - unearthed
  plants - planted / sows - sown x uproots - uprooted / weeds out - weeded out
  measures - measured / gauges - gauged x guesses - guessed / estimates - estimated
  decorates - decorated / adorns - adorned x strips - stripped / plunders - plundered
  packs - packed / stows - stowed x unpacks - unpacked / unrolls - unrolled
  delivers - delivered / brings - brought x withholds - withheld / delays - delayed
  steals - stolen / pilfers - pilfered x returns - returned / gives back - given back
  ties - tied / binds - bound x unties - untied / releases - released
  burns - burned / scorches - scorched x extinguishes - extinguished / douses - doused
  locks - locked / bolts - bolted x unbolts - unbolted / unbars - unbarred
`);

const PLACES = phrases(`
  in the garden / in the yard
  in the kitchen
  in the street / on the road
  at the market / at the bazaar
  on the beach / at the seaside
  in the forest / in the woods
  at school / in the classroom
  in the hospital / at the clinic
  at the station / on the platform
  in the park
  in the church / in the chapel
  on the roof
  in the cellar / in the basement
  in the attic / in the loft
  at the harbour / at the port
  in the factory / in the plant
  in the office / at work
  on the farm
  in the barn / in the stable
  near the river / by the stream
  on the hill / on the slope
  in the library
  in the museum / in the gallery
  at the airport / at the airfield
  in the restaurant / in the diner
  in the shop / in the store
  in the castle / in the palace
  in the village / in the hamlet
  in the city / in the town
  under the bridge
  behind the house / behind the cottage
  in the desert
  in the theatre / in the playhouse
  in the courtroom
  in the workshop
  in the garage
  on the balcony / on the terrace
  in the bedroom
  in the hallway / in the corridor
  at the zoo
`);

const TIMES = phrases(`
  in the morning / at dawn
  in the evening / at dusk
  at noon / at midday
  at night / after dark
  on monday
  on friday
  on sunday
  in winter
  in summer
  in spring
  in autumn
  every day / daily
  every week / weekly
  before breakfast
  after dinner / after supper
  during the storm / during the gale
  during the holidays / during the vacation
`);

const QUALITIES = opposites(`
  big / large x small / little
  old / ancient x new / modern
  heavy x light
  red / crimson x green
  blue x yellow
  black x white
  cheap / inexpensive x expensive / costly
  beautiful / pretty x ugly / hideous
  wooden x metal
  dirty / filthy x spotless
  empty x full
  broken x intact
`);

const MANNERS = phrases(`
  slowly / unhurriedly
  quickly / fast
  carefully / cautiously
  quietly / silently
  proudly
  secretly / covertly
  happily / cheerfully
  angrily / furiously
`);

const TO_PEOPLE =
  "finds pushes pulls hides praises criticises remembers forgets loves hates protects attacks follows " +
  "leads examines ignores draws welcomes accepts refuses ties covers";

/** The everyday domain: anyone does anything anywhere. */
export const EVERYDAY: Lexicon = {
  agents: AGENTS,
  objects: OBJECTS,
  verbs: VERBS,
  toAgents: named(VERBS, TO_PEOPLE),
  places: PLACES,
  times: TIMES,
  manners: MANNERS,
  qualities: QUALITIES,
  counts: COUNTS,
  reach: 1,
  splitBy: "agent",
};
