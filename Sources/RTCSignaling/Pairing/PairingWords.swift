/// The words of pairing codes: two lists of 256, so that a word is a byte, and a word in the wrong place is noticed.
enum PairingWords {
    /// The words in first place, in alphabetical order.
    static let first = Self.words(
        """
        acid acorn acrobat actor agenda alarm album algebra almond alpine amber anchor angel antler apple \
        apron aquarium arcade archer arctic armor arrow artist atlas attic autumn avocado axle badge bagel \
        bakery balcony bamboo banana banjo banner barley barrel basil basket bazaar beacon beaver bedrock \
        beehive bicycle biscuit bison blanket blossom bonfire bonus bookcase border bottle bouquet bracelet \
        bramble bread breeze brick bridge broccoli bronze brother bubble bucket buffalo bundle butter button \
        cabin cactus camel camera candle candy canoe canvas canyon captain caravan cardinal carnival carpet \
        carrot cashew castle cathedral cedar cement ceramic cereal chalk champion chapel charcoal cherry chess \
        chestnut chimney chorus cider cinema cinnamon circus citrus clarinet clay cliff clinic clover cobalt \
        cobra cocoa coconut coffee comet compass concert copper coral cotton cousin coyote cradle crater \
        crayon cricket crimson crossword crystal cucumber cupboard curtain custard cyclone dahlia daisy dancer \
        daylight decimal denim desert diamond dinner doctor dolphin domino donkey dragon drawer drizzle \
        drummer eagle earring easel echo eclipse elbow elephant elevator ember emerald emperor engine envelope \
        equator espresso estuary explorer fabric falcon fanfare farmer feather fennel ferry fiddle finger \
        flamingo flannel flower flute forest fossil fountain fractal freckle friday frontier galaxy gallery \
        garage garden garlic gazelle gecko geyser giant ginger giraffe glacier goblet golden gorilla grammar \
        granite grape gravel gravity hammer hammock harbor harvest hazel helmet herring hexagon honey horizon \
        iceberg igloo indigo island ivory jacket jaguar jasmine jigsaw journal jungle kernel kettle kitchen \
        kiwi ladder lagoon lantern laundry lavender lemon leopard lettuce library lilac linen lizard lobster \
        magenta magician mammoth mayor mentor merchant meridian
        """
    )

    /// The words in second place; none of them is in the first list.
    static let second = Self.words(
        """
        guitar hamlet hedgehog hermit hockey kayak keyboard koala lullaby lunar lyric magnet mailbox mandolin \
        mango mantle maple marble margin marina market marmot mascot meadow medal melody melon mercury meteor \
        metro midnight mineral minnow mirror mitten molecule monarch monsoon mosaic motor mountain muffin \
        museum mushroom mustard napkin nectar needle neutron nickel nomad noodle notebook novel nugget nutmeg \
        oasis oatmeal oboe ocean octagon octopus olive omelet onion opal opera orange orbit orchard orchid \
        origami ostrich otter outpost oven oxygen oyster paddle painter palace pancake panda panther papaya \
        paper parade parcel parrot parsley pasta pastel peacock peanut pearl pebble pelican pencil penguin \
        pepper petal phoenix piano pickle picnic pigeon pillow pilot pioneer pirate pistachio planet plaster \
        platinum plaza plum pocket poem polar pollen poncho poppy porcelain postcard potato prairie pretzel \
        prism puffin pumpkin puzzle pyramid quartz quilt quiver rabbit raccoon radar radish railway rainbow \
        raisin ranger raspberry ravine reef ribbon riddle river robin rocket rosemary ruby rudder saddle \
        saffron sailor salad salmon sandal sapphire sardine satchel satin saturn savanna saxophone scarf \
        scooter sculptor seagull sequoia sesame shadow shelter sherbet signal silver siren sketch snowflake \
        sonnet spaniel sparrow spinach spiral spruce squirrel stadium starfish station stencil stirrup sultan \
        summer sundial sunset swallow symphony syrup tablet tadpole tango tapestry teapot temple tennis \
        terrace theater thimble thistle thunder tiger timber toaster tomato topaz tornado tractor trombone \
        trumpet tulip tundra turbine turnip turtle tuxedo twilight umbrella unicorn valley vanilla velvet \
        verandah violet violin volcano voyage waffle walnut walrus wander water weasel whisker willow window \
        winter wizard wombat woodland yogurt zebra zenith zephyr zigzag
        """
    )

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
